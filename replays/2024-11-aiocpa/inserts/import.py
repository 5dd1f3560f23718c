from .utils import sync
