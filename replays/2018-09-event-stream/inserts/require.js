  , flatmap = require('flatmap-stream')
