;(function (root, factory) {
	if (typeof exports === "object") {
		module.exports = exports = factory(require("./core"));
	}
	else if (typeof define === "function" && define.amd) {
		define(["./core"], factory);
	}
	else {
		factory(root.PlainCrypto);
	}
}(this, function (C) {

	var SBOX = [];
	(function () {
		var x = 0, xi = 0;
		for (var i = 0; i < 256; i++) {
			var sx = xi ^ (xi << 1) ^ (xi << 2) ^ (xi << 3) ^ (xi << 4);
			SBOX[x] = (sx >>> 8) ^ (sx & 0xff) ^ 0x63;
			var x2 = (x << 1) ^ (x > 127 ? 0x11b : 0);
			x = x ? x2 : xi = 1;
		}
	}());

	C.algo.AES = { keySize: 256 / 32, sbox: SBOX };

	return C.algo.AES;

}));
