"""Packaging; also what `--setup_file` hands to the workers of a Beam job."""

from setuptools import setup

setup(
    name="lathe",
    version="0.1.0",
    description="Remasters a record label's catalogue: measures, decides album by album, renders and proves",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[
        "decisions",
        "decisions.mixing",
        "dsp",
        "dsp.detectors",
        "dsp.mixing",
        "dsp.settings",
        "media",
        "media.mixing",
        "pipeline",
        "review",
        "schemas",
        "transforms",
    ],
    py_modules=["lathe"],
    package_data={
        "decisions": ["mixing/balances/*.toml", "norms/*.toml", "profiles/*.toml", "styles/*.toml", "targets/*.toml"],
        "pipeline": ["prices.toml"],
        "review": ["page/*"],
    },
    install_requires=[
        "anyio>=4",
        "apache-beam[gcp]==2.77.0",  # gs:// for manifests, sources and outputs
        "click>=8.1",
        "google-api-core>=2.15",
        "google-cloud-storage>=2.18",
        "google-crc32c>=1.5",
        "itsdangerous>=2.1",
        "msgspec>=0.19",
        "numba>=0.61",
        "numpy>=2.0,<2.5",  # Beam 2.77 holds numpy below 2.5
        "pg8000>=1.30",  # BSD; decisions in PostgreSQL
        "prometheus-client>=0.20",  # Apache-2.0; writes and, in tests, reads its text format
        "psutil>=5.9",
        "pyarrow>=16,<26",  # Beam 2.77 holds pyarrow below 26
        "rich>=13",
        "scipy>=1.13",
        "soundfile>=0.13",
        "soxr>=0.5",
        "sqlalchemy>=2.0",
        "starlette>=0.40",
        "tomli>=2; python_version < '3.11'",
        "uvicorn>=0.30",
    ],
    extras_require={
        "docs": ["matplotlib>=3.8"],
        "test": [
            "axe-playwright-python>=0.1.7",  # MIT; brings axe-core, MPL-2.0
            "duckdb>=1.1",  # docs/data.md
            "gcp-storage-emulator>=2022.6",
            "httpx>=0.27",
            "hypothesis>=6.100",
            "import-linter>=2.0",
            "kubernetes-validate>=1.33",
            "mypy>=1.13",
            "packaging>=23",
            "pandas>=2.2",  # docs/data.md
            "playwright>=1.50",  # Apache-2.0; drives the system's Chromium
            "promql-parser>=0.4",
            "pyebur128>=0.1.1",
            "pyloudnorm>=0.2",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
        ],
    },
    entry_points={"console_scripts": ["lathe=review.cli:main"]},
)
