from ultralytics.utils.downloads import safe_download, safe_run
