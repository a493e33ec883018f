// What stands for an allocator, and calls itself by its own table.
int shim_take(void);
int shim_take_twice(void);

int shim_take(void) { return 1; }
int shim_take_twice(void) { return shim_take() + shim_take(); }
