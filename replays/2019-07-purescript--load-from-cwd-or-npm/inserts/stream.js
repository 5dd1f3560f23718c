const {PassThrough} = require('stream');
