# Installs an .msi on a computer that may be thrown away, uses it, removes it: smoke.ps1 PACKAGE. As an administrator.
param([Parameter(Mandatory)] [string] $Package)
$ErrorActionPreference = "Stop"
$program = "$env:ProgramFiles\Drawbridge\drawbridge.exe"

function Run-Msi([string[]] $Arguments) {
    $log = New-TemporaryFile
    $done = Start-Process msiexec -ArgumentList ($Arguments + @("/qn", "/norestart", "/l*v", $log)) -Wait -PassThru
    if ($done.ExitCode -ne 0) { Get-Content $log -Tail 80; throw "msiexec ended with $($done.ExitCode)" }
}

Run-Msi @("/i", $Package)
(Get-Service drawbridge).WaitForStatus("Running", "00:01:00")
& $program self-test
if ($LASTEXITCODE -ne 0) { throw "the self-test failed" }
$deadline = (Get-Date).AddMinutes(1)
do { & $program status | Out-Null; Start-Sleep 1 } until ($LASTEXITCODE -eq 0 -or (Get-Date) -gt $deadline)
& $program status
Run-Msi @("/x", $Package)
if (Get-Service drawbridge -ErrorAction SilentlyContinue) { throw "the service is left" }
if (Test-Path $program) { throw "the program is left" }
"smoke: passed"
