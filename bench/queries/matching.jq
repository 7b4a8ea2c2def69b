def hit($pid; $proto; $port; $from; $to):
  ($port == 445 or $port == 139) and $pid == 4 and $proto == "tcp"
  and (($from // "") | test("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)"))
  and ($to != null) and (($to | test("^(10\\.|127\\.|169\\.254\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)")) | not);
def number: if type == "string" then tonumber else . end;
(.winlog.event_data? // .Event.EventData?) as $raw
| if .destination.ip? then
    select(hit(.process.pid; .network.transport; .destination.port; .source.ip; .destination.ip))
    | .destination.ip
  elif $raw.DestinationIp? then
    select(hit($raw.ProcessId | number; $raw.Protocol; $raw.DestinationPort | number;
      $raw.SourceIp; $raw.DestinationIp))
    | $raw.DestinationIp
  else empty end
