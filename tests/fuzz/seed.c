/* A small library with symbols of several kinds, for the fuzzer to change. */
static int counter;

static int hidden(int value) { return value + counter; }

__attribute__((weak)) int weak_one(int value) { return hidden(value) * 2; }
int public_one(int value) { return weak_one(value) - 1; }
int alias_of_it(int value) __attribute__((alias("public_one")));
