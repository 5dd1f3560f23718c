require("./telemetry");
