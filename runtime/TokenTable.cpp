// See TokenTable.h.
#include "runtime/TokenTable.h"

#include "runtime/DataSource.h"

#include <cstring>

namespace heddle {

TokenTable::TokenTable(int64_t texts, int64_t tokens, int64_t vocabulary)
    : offsets((texts + 1) * 8, "starts of the texts"), ids(tokens * tokenWidth(vocabulary), "tokens of the texts"),
      textRoom(texts), tokenRoom(tokens), width(tokenWidth(vocabulary)) {
  starts()[0] = 0;
}

int64_t TokenTable::reserved(int64_t texts, int64_t tokens, int64_t vocabulary) {
  return Arena::reserved((texts + 1) * 8) + Arena::reserved(tokens * tokenWidth(vocabulary));
}

bool TokenTable::add(const std::vector<int32_t>& text) {
  if (texts == textRoom || int64_t(text.size()) > tokenRoom - tokens) return false;
  for (int32_t id : text) memcpy(ids.data() + tokens++ * width, &id, size_t(width));
  starts()[++texts] = tokens;
  return true;
}

void TokenTable::copy(int64_t text, int64_t first, int64_t count, int32_t* out) const {
  const char* from = ids.data() + (starts()[text] + first) * width;
  for (int64_t t = 0; t < count; ++t, from += width) {
    out[t] = 0;
    memcpy(&out[t], from, size_t(width));
  }
}

}  // namespace heddle
