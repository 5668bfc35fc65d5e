"""The project: settings, URL tables and pages. The version is said here and read by the packaging, too."""

VERSION = "0.1.0"
