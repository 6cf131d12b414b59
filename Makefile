# rungate: build, test, install. GNU make.
#
#   make                    the program, optimised:        build/release/rungate
#   make debug              the same with assertions:      build/debug/rungate
#   make SANITIZE=1 debug   with ASan and UBSan:           build/debug-asan/rungate
#   make COVERAGE=1 debug   with line counters:            build/debug-cov/rungate
#   make CC=clang debug     with another compiler (its objects go to a folder of their own)
#   make V=1                shows whole commands
#   make WERROR=1           a warning is an error
#
#   make test               unit tests, lint, end-to-end tests; ends with "N passed, N failed"
#   make fuzz               each target of tests/fuzz for 10 seconds; ends with "N passed, N failed"
#   make fuzz TARGETS=reply FUZZ_SECONDS=600
#   make demo               a gate against the bundled provider simulator
#   make install PREFIX=/usr DESTDIR=...
#
# CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are the user's and come last.

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
INSTALL ?= install
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
# The system's Python is the one that sees the distribution's pytest.

Q := $(if $(V),,@)

# --- variants: each has a folder of its own, so that their objects never mix ---------------------

# With FUZZER=1, which "make fuzz" sets, the objects are made for libFuzzer, which is clang's.
ifdef FUZZER
CC := clang
endif

MODE := $(if $(filter release,$(MAKECMDGOALS)),release,$(if $(MAKECMDGOALS),debug,release))
MODE := $(if $(filter all install uninstall,$(MAKECMDGOALS)),release,$(MODE))
VARIANT := $(MODE)$(if $(SANITIZE),-asan)$(if $(COVERAGE),-cov)
VARIANT := $(VARIANT)$(if $(FUZZER),-fuzz,$(if $(filter clang%,$(CC)),-clang))
BUILD := build/$(VARIANT)
BIN := $(BUILD)/rungate

RG_CPPFLAGS := -Isrc -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 \
	-D_DARWIN_C_SOURCE
RG_CFLAGS := -std=c11 -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 -Wundef -fPIE -fstack-protector-strong
RG_LDFLAGS := -pie
ifeq ($(shell uname -s),Linux)
RG_LDFLAGS += -Wl,-z,relro,-z,now -Wl,--as-needed
endif
ifeq ($(MODE),release)
RG_CPPFLAGS += -DNDEBUG -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ifdef WERROR
RG_CFLAGS += -Werror
endif
ifdef SANITIZE
RG_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
RG_LDFLAGS += -fsanitize=address,undefined
endif
ifdef FUZZER
RG_CFLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
endif
ifdef COVERAGE
RG_CFLAGS += --coverage -O0
RG_LDFLAGS += --coverage
endif

LIBS := libcurl jansson inih
ifeq ($(filter clean uninstall,$(MAKECMDGOALS)),)
ifneq ($(shell $(PKG_CONFIG) --exists '$(LIBS)' && echo yes),yes)
$(error The development files of libcurl, jansson and inih are needed; ./ci/setup.sh installs them)
endif
endif
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIB_LDLIBS := $(shell $(PKG_CONFIG) --libs $(LIBS))

# --- sources: named one by one, so that a stray file never joins the program ---------------------

BASE := buf clock doc err file heap map mem num rng secret text xml
PIPELINE := ci ini outcome pipeline vars
PROVIDER := bind definition registry reply request rule template
NET := http origin
ENGINE := answer ending gate journal member result run schedule verdict
REPORT := ci console json junit markdown plan rehearsal words
CLI := command options session signals

SOURCES := $(BASE:%=base/%) $(PIPELINE:%=pipeline/%) $(PROVIDER:%=provider/%) $(NET:%=net/%) \
	$(ENGINE:%=engine/%) $(REPORT:%=report/%) $(CLI:%=cli/%)
OBJECTS := $(SOURCES:%=$(BUILD)/%.o) $(BUILD)/generated/definitions.o
DEFINITIONS := $(sort $(wildcard config/providers/*.ini))
UNIT := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_BINS := $(UNIT:%=$(BUILD)/unit/%)
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_BINS := $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)
# For the end-to-end tests of what a system does rarely; sanitizers want to be loaded first.
PRELOAD := $(if $(SANITIZE),,$(if $(filter Linux,$(shell uname -s)),$(patsubst tests/preload/%.c,\
	$(BUILD)/%.so,$(sort $(wildcard tests/preload/*.c)))))

.PHONY: all release debug unit test lint fuzz fuzz-targets check-unit check-e2e check-valgrind \
	check-matrix check-schema check-contract coverage demo install uninstall clean
.DELETE_ON_ERROR:

all: $(BIN)
release: $(BIN)
debug: $(BIN) $(PRELOAD)
unit: $(UNIT_BINS)
fuzz-targets: $(FUZZ_BINS)

COMPILE = $(CC) $(RG_CPPFLAGS) $(LIB_CFLAGS) $(CPPFLAGS) $(RG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(COMPILE)

$(BUILD)/generated/definitions.o: $(BUILD)/generated/definitions.c
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(COMPILE)

$(BUILD)/generated/definitions.c: ci/embed.sh $(DEFINITIONS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  EMBED   config/providers")
	$(Q)sh ci/embed.sh $(DEFINITIONS) > $@

$(BUILD)/librungate.a: $(OBJECTS)
	$(if $(V),,@echo "  AR      $@")
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BIN): $(BUILD)/cli/main.o $(BUILD)/librungate.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(RG_CFLAGS) $(CFLAGS) $(RG_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LDLIBS) $(LDLIBS)

$(BUILD)/unit/%: $(BUILD)/unit/%.o $(BUILD)/librungate.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(RG_CFLAGS) $(CFLAGS) $(RG_LDFLAGS) $(LDFLAGS) -o $@ $^ \
		$(LIB_LDLIBS) $$($(PKG_CONFIG) --libs cmocka) $(LDLIBS)

$(BUILD)/unit/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(COMPILE)

$(BUILD)/%.so: tests/preload/%.c tests/preload/log.h Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(CPPFLAGS) $(RG_CFLAGS) $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

# What reaches outside the program: tests/fuzz/world.c stands in for it.
FUZZ_WRAPPED := file_read file_is_same clock_monotonic_ms clock_wall_ms registry_new registry_free \
	http_new http_free http_send http_abort http_withdraw http_next http_wait journal_open

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/check.o $(BUILD)/fuzz/world.o \
		$(BUILD)/librungate.a
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(RG_CFLAGS) -fsanitize=fuzzer $(CFLAGS) $(RG_LDFLAGS) $(LDFLAGS) \
		$(FUZZ_WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LIB_LDLIBS) $(LDLIBS)

$(BUILD)/fuzz/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(COMPILE)

.PRECIOUS: $(BUILD)/unit/%.o $(BUILD)/fuzz/%.o

-include $(OBJECTS:.o=.d) $(BUILD)/cli/main.d $(UNIT:%=$(BUILD)/unit/%.d) \
	$(FUZZ_BINS:%=%.d) $(BUILD)/fuzz/check.d $(BUILD)/fuzz/world.d

# --- tests ----------------------------------------------------------------------------------------
#
# Each part prints "NAME: N passed, N failed" as its last line; tests/run.sh adds them up.

JOBS ?= 4

# Both as it is and with the sanitizers.
test:
	$(Q)+$(MAKE) -j2 debug unit
	$(Q)+$(MAKE) -j2 debug unit SANITIZE=1
	$(Q)PYTHON=$(PYTHON) JOBS=$(JOBS) tests/run.sh

check-unit: unit
	$(Q)BUILD=$(BUILD) tests/unit/run.sh

check-e2e: debug
	$(Q)RUNGATE=$(BIN) $(PYTHON) -m pytest -q -n $(JOBS) tests/e2e $(TESTS)

# The same with every run of the program watched by valgrind; takes half an hour.
check-valgrind: debug
	$(Q)RUNGATE=$(BIN) RUNGATE_WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full" \
		$(PYTHON) -m pytest -q -n $(JOBS) tests/e2e $(TESTS)

# Every provider, phase, fault and way out. CELL is the name of a cell, or a pattern such as
# 'qatech/*/silence/*/*'; a cell that fails is shown whole.
check-matrix: debug
	$(Q)RUNGATE=$(BIN) JOBS=$(JOBS) $(PYTHON) tests/matrix/matrix.py $(if $(CELL),'$(CELL)')

# What a target finds is kept in build/debug-fuzz/found; what was repaired goes to tests/fuzz/corpus.
TARGETS ?= $(FUZZ)
FUZZ_SECONDS ?= 10
fuzz:
	$(Q)+$(MAKE) -j2 FUZZER=1 fuzz-targets
	$(Q)PYTHON=$(PYTHON) BUILD=build/debug-fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) \
		tests/fuzz/run.sh $(TARGETS)

# Lines of src/ that the unit and end-to-end tests reach.
coverage:
	$(Q)+$(MAKE) -j2 debug unit COVERAGE=1
	$(Q)find build/debug-cov -name '*.gcda' -delete
	$(Q)BUILD=build/debug-cov tests/unit/run.sh
	$(Q)RUNGATE=build/debug-cov/rungate $(PYTHON) -m pytest -q -n $(JOBS) tests/e2e
	$(Q)gcovr --root . --filter 'src/' build/debug-cov --sort-percentage

lint: debug
	$(Q)PYTHON=$(PYTHON) tests/lint/run.sh $(BIN)

demo: $(BIN)
	$(Q)RUNGATE=$(BIN) $(PYTHON) tests/demo/demo.py

# SCHEMAS is a folder with junit-10.xsd and junit-windyroad.xsd, which are not part of the project.
check-schema: debug
	$(Q)RUNGATE=$(BIN) SCHEMAS=$(SCHEMAS) $(PYTHON) tests/schema/check.py

# API is a folder with the providers' own OpenAPI files, which are not part of the project. Needs npm.
check-contract: debug
	$(Q)RUNGATE=$(BIN) API=$(API) $(PYTHON) tests/contract/check.py

# --- installing -----------------------------------------------------------------------------------

install: $(BIN)
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 755 $(BIN) $(DESTDIR)$(BINDIR)/rungate
	$(INSTALL) -m 644 src/man/rungate.1 $(DESTDIR)$(MANDIR)/man1/rungate.1
	$(INSTALL) -m 644 src/man/rungate.ini.5 $(DESTDIR)$(MANDIR)/man5/rungate.ini.5

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/rungate $(DESTDIR)$(MANDIR)/man1/rungate.1 \
		$(DESTDIR)$(MANDIR)/man5/rungate.ini.5

clean:
	rm -rf build
