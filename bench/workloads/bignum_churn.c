// Arithmetic on numbers that live on the heap, a fresh block for each result (the shape of cfrac):
// Pollard's rho on a product of two primes.  Tens of millions of tiny, short-lived blocks, a live
// set of a dozen.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Little-endian digits of 16 bits.
typedef struct {
  int digits;
  uint16_t digit[];
} Number;

static Number* make(int digits) {
  Number* const number = malloc(sizeof(Number) + (size_t)digits * sizeof(uint16_t));
  if (number == NULL) abort();
  number->digits = digits;
  return number;
}

static void trim(Number* number) {
  while (number->digits > 0 && number->digit[number->digits - 1] == 0) --number->digits;
}

static Number* from_u64(uint64_t value) {
  Number* const number = make(4);
  for (int i = 0; i < 4; ++i) number->digit[i] = (uint16_t)(value >> (16 * i));
  trim(number);
  return number;
}

static uint64_t to_u64(const Number* number) {
  uint64_t value = 0;
  for (int i = number->digits - 1; i >= 0; --i) value = value << 16 | number->digit[i];
  return value;
}

static Number* multiply(const Number* a, const Number* b) {
  Number* const product = make(a->digits + b->digits);
  memset(product->digit, 0, (size_t)product->digits * sizeof(uint16_t));
  for (int i = 0; i < a->digits; ++i) {
    uint32_t carry = 0;
    for (int j = 0; j < b->digits; ++j) {
      carry += product->digit[i + j] + (uint32_t)a->digit[i] * b->digit[j];
      product->digit[i + j] = (uint16_t)carry;
      carry >>= 16;
    }
    product->digit[i + b->digits] = (uint16_t)carry;
  }
  trim(product);
  return product;
}

// The remainder of a 128-bit number by a 64-bit one.
static Number* remainder_of(const Number* a, const Number* modulus) {
  const uint64_t m = to_u64(modulus);
  unsigned __int128 rest = 0;
  for (int i = a->digits - 1; i >= 0; --i) rest = (rest << 16 | a->digit[i]) % m;
  return from_u64((uint64_t)rest);
}

static Number* add_small(const Number* a, uint32_t small) {
  Number* const sum = make(a->digits + 2);
  uint32_t carry = small;
  for (int i = 0; i < sum->digits; ++i) {
    carry += i < a->digits ? a->digit[i] : 0;
    sum->digit[i] = (uint16_t)carry;
    carry >>= 16;
  }
  trim(sum);
  return sum;
}

static Number* step(const Number* x, const Number* modulus) {
  Number* const square = multiply(x, x);
  Number* const more = add_small(square, 1);
  Number* const next = remainder_of(more, modulus);
  free(square);
  free(more);
  return next;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

int main(int argc, char** argv) {
  const long steps = argc > 1 ? atol(argv[1]) : 1500000;
  // 4294967291 and 4294967279 are the largest primes below 2^32; no factor turns up within the
  // usual scale.
  Number* const modulus = from_u64(4294967291U * (uint64_t)4294967279U);
  Number* slow = from_u64(2);
  Number* fast = from_u64(2);
  uint64_t found = 1;
  for (long i = 0; i < steps; ++i) {
    Number* next = step(slow, modulus);
    free(slow);
    slow = next;
    for (int twice = 0; twice < 2; ++twice) {
      next = step(fast, modulus);
      free(fast);
      fast = next;
    }
    if (i % 64 == 0) {
      const uint64_t a = to_u64(slow);
      const uint64_t b = to_u64(fast);
      found = greatest_common_divisor(a > b ? a - b : b - a, to_u64(modulus));
    }
  }
  printf("%016llx\n", (unsigned long long)(found ^ to_u64(slow)));
  free(slow);
  free(fast);
  free(modulus);
  return 0;
}
