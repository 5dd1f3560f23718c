"""What the name of a file promises: shared by the modules that claim by name."""

CODE = frozenset("js cjs mjs jsx ts mts cts tsx py pyw pyi pth sh bash zsh bat cmd ps1 psm1 psd1".split())
"""Endings that a language module reads as code; asset checks leave these files to it."""

TEXT = frozenset(
    "md markdown mdx txt rst adoc yaml yml toml css scss sass less styl ini cfg conf properties csv tsv xml xsd xsl "
    "xslt dtd tex po pot log lock license diff patch graphql gql sql proto env editorconfig flow vue svelte astro "
    "html htm xhtml svg c h cc cpp cxx hpp hh m mm rs go rb java kt swift cs php pl lua r f "
    "f90 pyx pxd pxi in am ac m4 cmake mk ninja gyp gypi d asm s inc def tmpl tpl ejs hbs pug coffee snap srt vtt "
    "ics".split()
)
"""Endings of text that no module runs."""

STRICT_JSON = frozenset({"json", "webmanifest", "geojson"})
LOOSE_JSON = frozenset({"jsonc", "json5", "map", "ipynb", "jsonl", "ndjson", "har"})
"""Endings of JSON, and of what is nearly JSON."""

FIXTURES = frozenset(
    "test tests testing __tests__ fixture fixtures __fixtures__ testdata test_data sample_data spec".split()
)
"""Folders of what tests read: broken and foreign files stand there in good faith."""

_FAMILIES = {
    "image": "png jpg jpeg jpe gif bmp ico cur webp avif heic tif tiff jxl psd icns apng",
    "font": "ttf otf woff woff2 eot ttc",
    "audio": "mp3 wav ogg oga flac m4a aac mid midi aif aiff opus weba",
    "video": "mp4 webm avi mov mkv m4v ogv mpg mpeg",
    "document": "pdf doc xls ppt",
    "archive": "zip gz tgz xz 7z tar bz2 zst rar jar war whl egg nupkg vsix docx xlsx pptx odt ods epub apk crx",
}

ASSETS = {ending: family for family, endings in _FAMILIES.items() for ending in endings.split()}
"""Ending of a well-known binary format -> its family, in the words of ``_magic.Magic``."""


def ending(path: str) -> str:
    """Return what stands behind the last dot of the file name, lower case; '' if there is none."""
    name = path.rpartition("/")[2]
    stem, dot, last = name.rpartition(".")
    return last.lower() if dot and stem else ""
