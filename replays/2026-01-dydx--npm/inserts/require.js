const registry_1 = require("./registry");
