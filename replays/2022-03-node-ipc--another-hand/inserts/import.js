import './helpers/locale.js';
