function listeningView() {
  return {
    seekFraction() {},
    onposition() {},
    key() {
      return false;
    },
  };
}
