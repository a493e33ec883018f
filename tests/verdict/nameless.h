/* A library whose inner functions have no names once it is stripped, as a distribution's have none. */
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Reads a "document": some dozens of blocks, asked for in many functions.  `get`: malloc or like it. */
void* nameless_build(unsigned kind, void* (*get)(size_t bytes));
void nameless_release(void* document);
#ifdef __cplusplus
}
#endif
