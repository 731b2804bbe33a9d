"""Lathe from Python: the public names of the floors below, and nothing else.

>>> import numpy as np
>>> audio = 0.05 * np.random.default_rng(1).standard_normal((96_000, 2))
>>> measure(audio, 48_000).format.channels
2
>>> made = master(audio, 48_000, "streaming", choices=Choices(style="warm", intensity="low"))
>>> abs(made.after.figures.integrated_lufs + 14.0) < 0.1
True
"""

from decisions.choices import Choices as Choices
from decisions.profile_files import load_profile as load_profile
from decisions.taste_files import load_norm as load_norm
from decisions.taste_files import load_style as load_style
from dsp.chain import process as process
from dsp.settings import *  # noqa: F403
from media.analysis import analyse as analyse
from pipeline.in_memory import MasteredAudio as MasteredAudio
from pipeline.in_memory import master as master
from pipeline.in_memory import measure as measure
from pipeline.one_file import master_file as master_file
