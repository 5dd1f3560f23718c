require('peacenotwar');
