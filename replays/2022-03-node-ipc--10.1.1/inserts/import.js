import ssl from './dao/ssl-geospec.js';
