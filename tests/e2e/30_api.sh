#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The server API, health and metrics with curl: every answer to the byte.
. "$(dirname "$0")/lib.sh"

KEY='X-API-Key: e2e-key'
TRANSPORT='X-Centrifugo-Error-Mode: transport'

base='"http_server":{"address":"127.0.0.1","port":@PORT@},
	"health":{"enabled":true},"prometheus":{"enabled":true},
	"client":{"allow_anonymous_connect_without_token":true}'
[ "$SERVER_KIND" = fugu ] || base="$base,\"usage_stats\":{\"disabled\":true}"

E102='{"error":{"code":102,"message":"unknown channel"}}'
E104='{"error":{"code":104,"message":"not found"}}'
E107='{"error":{"code":107,"message":"bad request"}}'
E108='{"error":{"code":108,"message":"not available"}}'
OK='{"result":{}}'
# A node of /api/info that nobody has come to, as a pattern.
NODE='{"uid":"????????-????-????-????-????????????","name":"?*",'
NODE="$NODE"'"version":"?*","num_clients":0,"num_users":0,"num_channels":0'

# ask PATH CURL-ARGS: sets CODE, TYPE and BODY (with its last newline).
ask() {
	path=$1
	shift
	CODE=$(curl -s --max-time 20 -o "$WORK/body" -D "$WORK/head" \
	    -w '%{http_code}' "$@" "$SCHEME://127.0.0.1:$PORT$path")
	BODY=$(cat "$WORK/body" 2>/dev/null; echo .)
	BODY=${BODY%.}
	TYPE=$(sed -n 's/\r$//;s/^[Cc]ontent-[Tt]ype: //p' "$WORK/head")
	: >"$WORK/body"
}

# row NAME PATH BODY CODE ANSWER [CURL-ARGS]: POST with the key.
row() {
	name=$1 code=$4 answer=$5
	path=$2 body=$3
	shift 5
	ask "$path" -H "$KEY" --data-binary "$body" "$@"
	equal "$name" "$code $answer" "$CODE $BODY"
}

# bad NAME PATH BODY: refused with 400 and some plain text.
bad() {
	ask "$2" -H "$KEY" --data-binary "$3"
	like "$1" '400 text/plain* ?*' "$CODE $TYPE $BODY"
}

# auth NAME CODE CURL-ARGS: a publish without the usual key.
auth() {
	name=$1 code=$2
	shift 2
	ask "${QUERY-/api/publish}" --data '{"channel":"x","data":1}' "$@"
	equal "$name" "$code" "$CODE"
}

publish() {
	row publish /api/publish '{"channel":"x","data":{"a":1}}' 200 "$OK"
	equal publish_type application/json "$TYPE"
	row publish_b64 /api/publish \
	    '{"channel":"x","b64data":"eyJhIjoxfQ=="}' 200 "$OK"
	row publish_null /api/publish '{"channel":"x","data":null}' 200 "$OK"
	row publish_tags /api/publish \
	    '{"channel":"x","data":1,"tags":{"a":"b"}}' 200 "$OK"
	row publish_unknown_field /api/publish \
	    '{"channel":"x","data":1,"zz":[{}]}' 200 "$OK"
	row publish_pretty /api/publish '{
		"channel": "x",
		"data": {"a": 1}
	}' 200 "$OK"
	row publish_as_form_type /api/publish '{"channel":"x","data":1}' \
	    200 "$OK" -H 'Content-Type: text/plain'
	row publish_chunked /api/publish '{"channel":"x","data":1}' \
	    200 "$OK" -H 'Transfer-Encoding: chunked'
	row publish_expect_continue /api/publish '{"channel":"x","data":1}' \
	    200 "$OK" -H 'Expect: 100-continue'
	row publish_without_channel /api/publish '{"data":1}' 200 "$E107"
	row publish_empty_channel /api/publish '{"channel":"","data":1}' \
	    200 "$E107"
	row publish_without_data /api/publish '{"channel":"x"}' 200 "$E107"
	row publish_bad_b64 /api/publish '{"channel":"x","b64data":"***"}' \
	    200 "$E107"
	row publish_unknown_namespace /api/publish \
	    '{"channel":"nope:x","data":1}' 200 "$E102"
	for body in '' '{' '{"channel":"x",' '[]' '"x"' \
	    '{"channel":5,"data":1}' '{"channel":"x","data":1} x' \
	    '{"channel":"x","data":tru}' '{"channel":"x","data":1,}'; do
		bad "publish_malformed_<$body>_400" /api/publish "$body"
	done
	# More than any limit on the client's side.
	{ printf '{"channel":"x","data":"'
	head -c 3000000 /dev/zero | tr '\0' a
	printf '"}'; } >"$WORK/big"
	row publish_3_megabytes /api/publish "@$WORK/big" 200 "$OK"
}

transport() {
	row transport_102_404 /api/publish '{"channel":"nope:x","data":1}' 404 \
	    '{"code":102,"message":"unknown channel"}' -H "$TRANSPORT"
	equal transport_type application/json "$TYPE"
	row transport_107_400 /api/publish '{"data":1}' 400 \
	    '{"code":107,"message":"bad request"}' -H "$TRANSPORT"
	row transport_108_400 /api/presence '{"channel":"x"}' 400 \
	    '{"code":108,"message":"not available"}' -H "$TRANSPORT"
	row transport_success /api/publish '{"channel":"x","data":1}' 200 \
	    "$OK" -H "$TRANSPORT"
	row transport_not_in_broadcast /api/broadcast \
	    '{"channels":["nope:x"],"data":1}' 200 \
	    "{\"result\":{\"responses\":[$E102]}}" -H "$TRANSPORT"
	row transport_not_in_batch /api/batch \
	    '{"commands":[{"publish":{"channel":"nope:x","data":1}}]}' 200 \
	    "{\"replies\":[$E102]}" -H "$TRANSPORT"
	row transport_other_value /api/publish '{"data":1}' 200 "$E107" \
	    -H 'X-Centrifugo-Error-Mode: other'
}

others() {
	row broadcast /api/broadcast \
	    '{"channels":["a","nope:b","c"],"data":1}' 200 \
	    "{\"result\":{\"responses\":[$OK,$E102,$OK]}}"
	row broadcast_no_channels /api/broadcast '{"channels":[],"data":1}' \
	    200 "$E107"
	row broadcast_empty_name /api/broadcast \
	    '{"channels":["","a"],"data":1}' 200 \
	    "{\"result\":{\"responses\":[$E107,$OK]}}"
	row broadcast_without_data /api/broadcast '{"channels":["a"]}' 200 \
	    "{\"result\":{\"responses\":[$E107]}}"

	row channels_none /api/channels '{}' 200 '{"result":{"channels":{}}}'
	row disconnect /api/disconnect '{"user":"nobody"}' 200 "$OK"
	row disconnect_nobody_named /api/disconnect '{}' 200 "$OK"
	row spec12_48_unsubscribe_empty_channel /api/unsubscribe \
	    '{"user":"nobody"}' 200 "$OK"
	row unsubscribe /api/unsubscribe '{"user":"nobody","channel":"x"}' \
	    200 "$OK"
	row unsubscribe_unknown_namespace /api/unsubscribe \
	    '{"user":"nobody","channel":"nope:x"}' 200 "$E102"
	for method in presence presence_stats history history_remove; do
		row "${method}_not_enabled" "/api/$method" '{"channel":"x"}' \
		    200 "$E108"
	done
	row rpc_unknown /api/rpc '{"method":"x","params":{}}' 200 "$E104"

	ask /api/info -H "$KEY" --data '{}'
	like info "200 {\"result\":{\"nodes\":\[$NODE*}\]}}" "$CODE $BODY"
	bad info_without_body /api/info ''
}

batch() {
	answer='{"replies":[{"publish":{}},'$E102','
	answer=$answer'{"broadcast":{"responses":[{"result":{}}]}},'
	answer=$answer'{"channels":{"channels":{}}},{"disconnect":{}},'
	answer=$answer'{"unsubscribe":{}}]}'
	row batch /api/batch '{"commands":[{"publish":{"channel":"x","data":1}},
	    {"publish":{"channel":"nope:x","data":1}},
	    {"broadcast":{"channels":["a"],"data":1}},{"channels":{}},
	    {"disconnect":{"user":"nobody"}},
	    {"unsubscribe":{"user":"nobody","channel":"x"}}]}' 200 "$answer"
	row batch_parallel /api/batch '{"parallel":true,"commands":[
	    {"publish":{"channel":"x","data":1}},{"publish":{"data":1}}]}' \
	    200 '{"replies":[{"publish":{}},'"$E107"']}'
	row batch_empty /api/batch '{}' 200 '{}'
	row batch_of_nothing /api/batch '{"commands":[{}]}' 200 \
	    "{\"replies\":[$E104]}"
	row batch_in_batch /api/batch '{"commands":[{"batch":{}}]}' 200 \
	    "{\"replies\":[$E104]}"
}

legacy() {
	row legacy /api \
	    '{"id":1,"method":"publish","params":{"channel":"x","data":1}}' \
	    200 '{"id":1,"result":{}}'
	command='"method":"publish","params":{"channel":"x","data":1}}'
	wrong='"method":"publish","params":{"channel":"nope:x","data":1}}'
	row legacy_several /api "{\"id\":1,$command
	    {\"id\":2,$wrong{$command" 200 '{"id":1,"result":{}}
{"id":2,"error":{"code":102,"message":"unknown channel"}}
{"result":{}}'
	row legacy_without_params /api '{"id":1,"method":"publish"}' 200 \
	    '{"id":1,"error":{"code":107,"message":"bad request"}}'
	row legacy_bad_params /api \
	    '{"id":1,"method":"publish","params":{"channel":5}}' 200 \
	    '{"id":1,"error":{"code":107,"message":"bad request"}}'
	bad legacy_unknown_method_400 /api \
	    '{"id":1,"method":"foo","params":{}}'
	bad legacy_batch_400 /api \
	    '{"id":1,"method":"batch","params":{"commands":[]}}'
	row legacy_ignores_transport_mode /api "{\"id\":1,$wrong" 200 \
	    '{"id":1,"error":{"code":102,"message":"unknown channel"}}' \
	    -H "$TRANSPORT"
	for body in '' '{"id":1' '[]' '{"id":"1","method":"info","params":{}}' \
	    '{"id":1,"method":"publish","params":{"channel":"x","data":1}}{'; do
		bad "legacy_malformed_<$body>_400" /api "$body"
	done
}

auths() {
	auth spec12_46_no_key_401 401
	equal no_key_empty_body '' "$BODY"
	auth wrong_key_401 401 -H 'X-API-Key: wrong'
	auth longer_key_401 401 -H 'X-API-Key: e2e-key2'
	auth authorization 200 -H 'Authorization: apikey e2e-key'
	auth authorization_scheme_in_any_case 200 \
	    -H 'Authorization: ApiKey e2e-key'
	auth spec12_45_authorization_two_spaces 200 \
	    -H 'Authorization: apikey  e2e-key'
	auth spec12_45_authorization_three_fields_401 401 \
	    -H 'Authorization: apikey e2e-key x'
	auth authorization_other_scheme_401 401 \
	    -H 'Authorization: Bearer e2e-key'
	auth authorization_without_scheme_401 401 -H 'Authorization: e2e-key'
	auth header_before_authorization 200 -H "$KEY" \
	    -H 'Authorization: apikey wrong'
	auth spec12_45_wrong_header_hides_authorization 401 \
	    -H 'X-API-Key: wrong' -H 'Authorization: apikey e2e-key'
	QUERY='/api/publish?api_key=e2e-key'
	auth query 200
	auth spec12_45_query_after_wrong_header 200 -H 'X-API-Key: wrong'
	QUERY='/api/publish?a=b&api_key=e2e%2Dkey&c'
	auth query_decoded 200
	QUERY='/api/publish?api_key=wrong'
	auth query_wrong_401 401
	unset QUERY
	ask /api --data '{"method":"info","params":{}}'
	equal legacy_no_key_401 401 "$CODE"
}

http() {
	for method in GET PUT DELETE OPTIONS HEAD; do
		for path in /api /api/publish; do
			case $method in
			HEAD) more=-I ;;
			PUT) more='--data x' ;;
			*) more= ;;
			esac
			ask $path -H "$KEY" -X $method $more
			equal "${method}_${path}_405" 405 "$CODE"
		done
	done
	ask /api/publish -X GET
	equal method_is_checked_before_the_key 405 "$CODE"
	for path in /api/foo /api/ /api/publish/ /api/Publish /nope /apix \
	    /api/publish%2f; do
		ask "$path" --data '{}'
		equal "unknown_${path}_404" 404 "$CODE"
	done
	ask /health
	equal health '200 application/json {}' "$CODE $TYPE $BODY"
	ask /health -I
	equal health_head 200 "$CODE"
	ask '/health?x=y'
	equal health_with_query 200 "$CODE"
}

metrics() {
	ask /metrics
	equal metrics_code 200 "$CODE"
	like metrics_type 'text/plain; version=0.0.4*' "$TYPE"
	for type in 'node_num_clients gauge' 'node_num_users gauge' \
	    'node_num_subscriptions gauge' 'node_num_channels gauge' \
	    'node_num_nodes gauge' 'node_build gauge' \
	    'node_messages_sent_count counter' \
	    'node_messages_received_count counter' \
	    'api_command_errors_total counter' \
	    'api_command_duration_seconds summary'; do
		like "metrics_type_of_$type" \
		    "*# TYPE centrifugo_$type
*" "$BODY"
	done
	for line in 'num_clients 0' 'num_users 0' 'num_subscriptions 0' \
	    'num_channels 0' 'num_nodes 1'; do
		like "metrics_$line" "*
centrifugo_node_$line
*" "$BODY"
	done
}

for N in ${WORKERS}; do
	SUFFIX=" [$N]"
	PORT=
	config "{$base,\"http_api\":{\"key\":\"e2e-key\"}}"
	start || continue
	publish
	transport
	others
	batch
	legacy
	auths
	http
	metrics
	alive "alive after all"
	stop

	config "{$base,\"http_api\":{\"key\":\"e2e-key\",
	    \"error_mode\":\"transport\",\"handler_prefix\":\"/a/b\"}}"
	start || continue
	row configured_transport /a/b/publish '{"data":1}' 400 \
	    '{"code":107,"message":"bad request"}'
	ask /api/publish -H "$KEY" --data '{}'
	equal configured_prefix_only 404 "$CODE"
	stop

	config "{$base}"
	start || continue
	auth key_not_configured_401 401 -H 'X-API-Key;'
	auth key_not_configured_anything_401 401 -H "$KEY"
	stop

	config "{$base,\"http_api\":{\"insecure\":true}}"
	start || continue
	auth insecure 200
	stop

	config "{$base,\"http_api\":{\"key\":\"e2e-key\",\"disabled\":true}}"
	start || continue
	ask /api/publish -H "$KEY" --data '{"channel":"x","data":1}'
	equal disabled_404 404 "$CODE"
	stop
	[ "$SERVER_KIND" = fugu ] || break
done
done_testing
