//! Records of runs: a directory which holds everything that is needed to read a run and to run it again.
