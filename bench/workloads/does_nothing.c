/* For count_loading.py: what is left is the loader, and what it is made to load. */
int main(void) { return 0; }
