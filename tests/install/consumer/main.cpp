// A host that has changed its process before it trains: numbers are written the German way, and denormals count as zero.
// What the program computes and writes must not notice.
#include <runtime/NativeMain.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <locale>
#include <xmmintrin.h>

extern "C" const HeddleProgram* heddle_program();

int main(int argc, char** argv) {
  if (const char* locale = std::getenv("HOST_LOCALE")) {
    if (!std::setlocale(LC_ALL, locale)) return 99;
    std::locale::global(std::locale(locale));
    char text[8];
    std::snprintf(text, sizeof text, "%.1f", 0.5);
    if (text[1] != ',') return 98;
  }
  if (std::getenv("HOST_FLUSHES")) _mm_setcsr(_mm_getcsr() | 0x8040);
  return heddle::nativeMain(*heddle_program(), argc, argv);
}
