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

	var MAP = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	C.enc.Base64 = {
		stringify: function (wordArray) {
			var out = [];
			for (var i = 0; i < wordArray.sigBytes; i += 3) {
				var triplet = 0;
				for (var j = 0; j < 3; j++) {
					var at = i + j;
					triplet = (triplet << 8) | ((wordArray.words[at >>> 2] >>> (24 - (at % 4) * 8)) & 0xff);
				}
				for (var k = 0; k < 4; k++) {
					out.push(i + k * 0.75 < wordArray.sigBytes ? MAP.charAt((triplet >>> (6 * (3 - k))) & 0x3f) : "=");
				}
			}
			return out.join("");
		}
	};

	return C.enc.Base64;

}));
