"""The version of the core that addons state their range against."""

VERSION = "0.1.0"
