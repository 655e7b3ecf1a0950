"""The two processes: the screen's, and the one that is debugged."""

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 where the user has not set them: on two busy cores two BLAS threads are several times
slower than one on small matrices."""
