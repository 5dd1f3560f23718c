;(function (root, factory) {
	if (typeof exports === "object") {
		module.exports = exports = factory(require("./core"), require("./sha256"), require("./hmac"));
	}
	else if (typeof define === "function" && define.amd) {
		define(["./core", "./sha256", "./hmac"], factory);
	}
	else {
		factory(root.PlainCrypto);
	}
}(this, function (C) {

	C.HmacSHA256 = { hasher: C.algo.SHA256, keyed: C.algo.HMAC };

	return C.HmacSHA256;

}));
