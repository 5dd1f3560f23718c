;(function (root, factory) {
	if (typeof exports === "object") {
		// CommonJS
		module.exports = exports = factory(require("./core"), require("./enc-base64"), require("./sha256"), require("./hmac"), require("./hmac-sha256"), require("./pbkdf2"), require("./cipher-core"), require("./aes"));
	}
	else if (typeof define === "function" && define.amd) {
		// AMD
		define(["./core", "./enc-base64", "./sha256", "./hmac", "./hmac-sha256", "./pbkdf2", "./cipher-core", "./aes"], factory);
	}
	else {
		root.PlainCrypto = factory(root.PlainCrypto);
	}
}(this, function (PlainCrypto) {

	return PlainCrypto;

}));
