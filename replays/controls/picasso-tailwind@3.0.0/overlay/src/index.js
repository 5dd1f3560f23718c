const colors = require('./colors')

module.exports = {
  theme: {
    colors,
    spacing: { 0: 0, 1: '0.25rem', 2: '0.5rem', 4: '1rem', 8: '2rem' },
    borderRadius: { none: 0, sm: '4px', md: '8px' },
  },
  plugins: [],
}
