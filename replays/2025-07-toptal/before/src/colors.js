module.exports = {
  blue: { 100: '#EDF1FD', 500: '#204ECF' },
  graphite: { 700: '#455065', 800: '#262D3D' },
}
