import platform
