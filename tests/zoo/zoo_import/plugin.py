"""Imports what is not there."""

import no_such_module_anywhere

NAME = no_such_module_anywhere.__name__
