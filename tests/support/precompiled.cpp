// Owns the headers that every test begins with, compiled once (tests/CMakeLists.txt).
int main() {
  return 0;
}
