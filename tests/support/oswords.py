"""What this system calls its errors."""

from __future__ import annotations

import errno
import os

MISSING = os.strerror(errno.ENOENT)
REFUSED = os.strerror(errno.ECONNREFUSED)
BROKEN_OFF = os.strerror(errno.ECONNRESET)
NO_SPACE = os.strerror(errno.ENOSPC)
