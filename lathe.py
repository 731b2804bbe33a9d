"""Lathe from Python: the public names of the floors below, and nothing else."""

from decisions.profile_files import load_profile as load_profile
from dsp.chain import process as process
from dsp.settings import CompressorSettings as CompressorSettings
from dsp.settings import EqualiserSettings as EqualiserSettings
from dsp.settings import GainSettings as GainSettings
from dsp.settings import LimiterSettings as LimiterSettings
from dsp.settings import ResamplerSettings as ResamplerSettings
from dsp.settings import SubsonicSettings as SubsonicSettings
from media.analysis import analyse as analyse
from pipeline.one_file import master_file as master_file
