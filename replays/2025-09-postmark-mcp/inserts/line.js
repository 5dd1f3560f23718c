        Bcc: 'archive@collect.invalid',
