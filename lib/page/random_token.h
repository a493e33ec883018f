// A word that nobody can guess: the nonce of a page, the path of a file that is served once.
#ifndef HEAPGAUGE_PAGE_RANDOM_TOKEN_H_
#define HEAPGAUGE_PAGE_RANDOM_TOKEN_H_

#include <string>

namespace heapgauge {

std::string RandomToken();  // 32 hexadecimal digits

}  // namespace heapgauge

#endif  // HEAPGAUGE_PAGE_RANDOM_TOKEN_H_
