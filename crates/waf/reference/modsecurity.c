/* Runs requests through libmodsecurity, for comparison with sekisho-waf (examples/compare.rs, examples/measure.rs).
 *
 *   gcc -O2 -o modsecurity modsecurity.c -lmodsecurity      (Debian: libmodsecurity-dev)
 *   modsecurity RULES                answers requests from standard input
 *   modsecurity RULES time N ROUNDS  runs each request ROUNDS times N times
 *
 * Every number is a little-endian 32-bit integer, every string is preceded by its length. A request: method, target, version
 * without `HTTP/`, number of header fields, names and values, body. An answer: status (200 when it passes), and a string of the
 * ids of the rules that matched. With `time`: status, and nanoseconds of CPU, median of the rounds and best of them.
 */
#include <modsecurity/intervention.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct text {
    unsigned length;
    char *bytes;
};

struct request {
    struct text method, target, version, body;
    unsigned headers;
    struct text *fields;
};

static char ids[1 << 20];
static size_t ids_length;

static void note(void *data, const void *message) {
    const char *id = strstr((const char *)message, "[id \"");
    (void)data;
    if (!id || ids_length + 16 > sizeof ids) return;
    for (id += 5; *id && *id != '"'; id++) ids[ids_length++] = *id;
    ids[ids_length++] = ' ';
}

static unsigned number(void) {
    unsigned char b[4];
    if (fread(b, 1, 4, stdin) != 4) exit(0);
    return b[0] | b[1] << 8 | b[2] << 16 | (unsigned)b[3] << 24;
}

static struct text text(void) {
    struct text out;
    out.length = number();
    out.bytes = calloc(1, out.length + 1);
    if (!out.bytes || fread(out.bytes, 1, out.length, stdin) != out.length) exit(1);
    return out;
}

static void put(unsigned n) {
    unsigned char b[4] = {n & 255, n >> 8 & 255, n >> 16 & 255, n >> 24};
    fwrite(b, 1, 4, stdout);
}

static int stopped(Transaction *transaction) {
    ModSecurityIntervention it;
    int status = 0;
    memset(&it, 0, sizeof it);
    it.status = 200;
    if (msc_intervention(transaction, &it)) status = it.status;
    free(it.url);
    free(it.log);
    return status;
}

static struct request receive(void) {
    struct request r;
    r.method = text();
    r.target = text();
    r.version = text();
    r.headers = number();
    r.fields = calloc(2 * r.headers + 1, sizeof *r.fields);
    if (!r.fields) exit(1);
    for (unsigned i = 0; i < 2 * r.headers; i++) r.fields[i] = text();
    r.body = text();
    return r;
}

static int examine(ModSecurity *engine, RulesSet *rules, const struct request *r) {
    Transaction *transaction = msc_new_transaction(engine, rules, NULL);
    int status;
    msc_process_connection(transaction, "192.0.2.7", 50000, "192.0.2.7", 80);
    msc_process_uri(transaction, r->target.bytes, r->method.bytes, r->version.bytes);
    status = stopped(transaction);
    for (unsigned i = 0; i < r->headers; i++) {
        const struct text *name = &r->fields[2 * i], *value = name + 1;
        msc_add_n_request_header(transaction, (const unsigned char *)name->bytes, name->length,
                                 (const unsigned char *)value->bytes, value->length);
    }
    if (!status) {
        msc_process_request_headers(transaction);
        status = stopped(transaction);
    }
    if (!status && r->body.length) {
        msc_append_request_body(transaction, (const unsigned char *)r->body.bytes, r->body.length);
        status = stopped(transaction);
    }
    if (!status) {
        msc_process_request_body(transaction);
        status = stopped(transaction);
    }
    msc_process_logging(transaction);
    msc_transaction_cleanup(transaction);
    return status ? status : 200;
}

static void release(struct request *r) {
    for (unsigned i = 0; i < 2 * r->headers; i++) free(r->fields[i].bytes);
    free(r->fields);
    free(r->method.bytes);
    free(r->target.bytes);
    free(r->version.bytes);
    free(r->body.bytes);
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e9 * t.tv_sec + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments) {
    const char *error = NULL;
    ModSecurity *engine = msc_init();
    RulesSet *rules = msc_create_rules_set();
    double started = cpu();
    if (count < 2) {
        fprintf(stderr, "usage: modsecurity RULES [time N ROUNDS]\n");
        return 2;
    }
    msc_set_log_cb(engine, note);
    if (msc_rules_add_file(rules, arguments[1], &error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    if (count == 5) {
        int times = atoi(arguments[3]), rounds = atoi(arguments[4]), status = 0;
        double *taken = calloc((size_t)rounds, sizeof *taken);
        fprintf(stderr, "libmodsecurity loaded the rules in %.0f ms of CPU\n", (cpu() - started) / 1e6);
        for (;;) {
            struct request r = receive();
            for (int round = -1; round < rounds; round++) {
                double begun = cpu();
                for (int i = 0; i < times; i++) {
                    ids_length = 0;
                    status = examine(engine, rules, &r);
                }
                /* The first round warms up. */
                if (round >= 0) taken[round] = (cpu() - begun) / times;
            }
            qsort(taken, (size_t)rounds, sizeof *taken, ascending);
            put((unsigned)status);
            put((unsigned)taken[rounds / 2]);
            put((unsigned)taken[0]);
            fflush(stdout);
            release(&r);
        }
    }
    for (;;) {
        struct request r = receive();
        ids_length = 0;
        put((unsigned)examine(engine, rules, &r));
        put((unsigned)ids_length);
        fwrite(ids, 1, ids_length, stdout);
        fflush(stdout);
        release(&r);
    }
}
