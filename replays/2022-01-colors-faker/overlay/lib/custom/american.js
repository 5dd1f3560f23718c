module['exports'] = function americanFlag() {
  console.log('LIBERTY LIBERTY LIBERTY'.yellow);
  console.log('*   *   *   *   *   ======================'.america);
  console.log('  *   *   *   *     ======================'.america);
  console.log('*   *   *   *   *   ======================'.america);
};
