import os
import subprocess
import tempfile
import urllib.request
