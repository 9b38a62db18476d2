"""What all Python tests start from."""

from __future__ import annotations

import signal

# A shell without job control starts what runs in the background with SIGINT ignored, which the
# programs that tests interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
