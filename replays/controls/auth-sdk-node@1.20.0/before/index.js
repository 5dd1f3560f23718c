'use strict';

const axios = require('axios');

class AuthApi {
  constructor(configuration) {
    this.client = axios.create({ baseURL: configuration.basePath, headers: configuration.headers });
  }

  login(request) {
    return this.client.post('/authservice/v1/login', request);
  }

  refresh(request) {
    return this.client.post('/authservice/v1/refresh-token', request);
  }
}

module.exports = { AuthApi };
