# SPDX-License-Identifier: MIT
"""What each page says, a module each; the words around it are in ``templates/``. No page makes a verdict."""
