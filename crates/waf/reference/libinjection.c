/* Answers with the verdicts of libinjection's C library, for comparison with sekisho-waf (examples/differential.rs).
 *
 *   gcc -O2 -o libinjection libinjection.c -lmodsecurity        (Debian: libmodsecurity-dev, which exports it)
 *   gcc -O2 -DLIBINJECTION_VERSION='"git"' -o libinjection libinjection.c LIBINJECTION/src/libinjection_*.c
 *
 * where LIBINJECTION is a copy of https://github.com/libinjection/libinjection. Inputs come on standard input, each a
 * little-endian 32-bit length and the bytes; each is answered with ten bytes: SQLi verdict, fingerprint (eight bytes, NUL-padded),
 * XSS verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int libinjection_sqli(const char *input, size_t length, char fingerprint[]);
int libinjection_xss(const char *input, size_t length);

int main(void) {
    unsigned char length[4];
    while (fread(length, 1, 4, stdin) == 4) {
        size_t n = length[0] | length[1] << 8 | length[2] << 16 | (unsigned)length[3] << 24;
        char *input = calloc(1, n + 1), fingerprint[16] = {0};
        unsigned char answer[10] = {0};
        if (!input || fread(input, 1, n, stdin) != n) return 1;
        answer[0] = (unsigned char)libinjection_sqli(input, n, fingerprint);
        memcpy(answer + 1, fingerprint, 8);
        answer[9] = (unsigned char)libinjection_xss(input, n);
        fwrite(answer, 1, 10, stdout);
        free(input);
    }
    return 0;
}
