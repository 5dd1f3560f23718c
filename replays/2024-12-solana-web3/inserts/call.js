    addToQueue(secretKey);
