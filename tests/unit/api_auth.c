/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Who may use the server API (spec 5, 12.45), and the status of errors.
 */
#include "api/api.h"
#include "api/call.h"
#include "tests/unit/test.h"

TEST(key_may_stand_in_three_places)
{
	static const struct {
		const char	*key, *auth, *query;
		bool		 ok;
	} row[] = {
		{ "", "", "", false },
		{ "k3y", "", "", true },
		{ "k3z", "", "", false },
		{ "k3", "", "", false },
		{ "k3yy", "", "", false },
		{ "", "apikey k3y", "", true },
		{ "", "ApiKey k3y", "", true },
		{ "", "  apikey \t k3y  ", "", true },
		{ "", "apikey k3z", "", false },
		{ "", "apikey", "", false },
		{ "", "apikey ", "", false },
		{ "", "apikey k3y k3y", "", false },
		{ "", "bearer k3y", "", false },
		{ "", "apikeyk3y", "", false },
		{ "", "k3y", "", false },
		{ "", "", "api_key=k3y", true },
		{ "", "", "a=b&api_key=%6b3y", true },
		{ "", "", "api_key=", false },
		{ "", "", "api_key=k3z", false },
		{ "", "", "xapi_key=k3y", false },
		/* A wrong X-API-Key hides Authorization, not the query. */
		{ "k3z", "apikey k3y", "", false },
		{ "k3z", "", "api_key=k3y", true },
		{ "", "apikey k3z", "api_key=k3y", true },
	};
	struct api_auth	a;
	size_t		i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		test_note("row %zu", i);
		a.x_api_key = sv_from(row[i].key);
		a.authorization = sv_from(row[i].auth);
		a.query = sv_from(row[i].query);
		CHECK_INT(api_auth_ok(&a, SV("k3y"), false), row[i].ok);
		CHECK(api_auth_ok(&a, SV("k3y"), true));
		CHECK(api_auth_ok(&a, SV(""), true));
		CHECK(!api_auth_ok(&a, SV(""), false));
	}
}

TEST(errors_have_a_text_and_a_status)
{
	static const struct {
		uint32_t	 code;
		int		 status;
		const char	*json;
	} row[] = {
		{ 100, 500, "{\"code\":100,"
		    "\"message\":\"internal server error\"}" },
		{ 102, 404, "{\"code\":102,"
		    "\"message\":\"unknown channel\"}" },
		{ 104, 404, "{\"code\":104,\"message\":\"not found\"}" },
		{ 107, 400, "{\"code\":107,\"message\":\"bad request\"}" },
		{ 108, 400, "{\"code\":108,\"message\":\"not available\"}" },
		{ 112, 416, "{\"code\":112,"
		    "\"message\":\"unrecoverable position\"}" },
	};
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		buf_reset(&b);
		api_put_error(&b, row[i].code);
		CHECK_SV(buf_sv(&b), row[i].json);
		CHECK_INT(api_error_status(row[i].code), row[i].status);
	}
	buf_fini(&b);
}
